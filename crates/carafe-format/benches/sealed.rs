//! The cost of sealing and opening a session, and the cipher's share of it: medians, interleaved.
//!
//! `cargo bench --features sealed --bench sealed`

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use carafe_format::sealed::SealedCodec;
use carafe_format::{KeyRing, SecretKey};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::inout::InOutBuf;
use xaes_256_gcm::aead::{AeadInOut as _, KeyInit as _};

const NOW: u64 = 1_700_000_000;
const ROUNDS: usize = 41;
const CALLS: usize = 2_000;

/// One thing to measure.
struct Case {
    name: String,
    call: Box<dyn FnMut()>,
    nanoseconds: Vec<f64>,
}

fn case<T>(cases: &mut Vec<Case>, name: &str, size: usize, mut call: impl FnMut() -> T + 'static) {
    let call = Box::new(move || drop(black_box(call())));
    cases.push(Case { name: format!("{name}, {size} bytes"), call, nanoseconds: Vec::new() });
}

fn main() -> Result<(), Box<dyn Error>> {
    let codec = SealedCodec::new(&KeyRing::new(SecretKey::random()?), "__Host-session")?;
    let mut cases = Vec::new();
    for size in [20, 336, 2_600] {
        add(&mut cases, &codec, size)?;
    }
    for _ in 0..ROUNDS {
        for case in &mut cases {
            let start = Instant::now();
            (0..CALLS).for_each(|_| (case.call)());
            case.nanoseconds.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    for case in &mut cases {
        case.nanoseconds.sort_by(f64::total_cmp);
        println!("{:40} {:8.0} ns", case.name, case.nanoseconds[ROUNDS / 2]);
    }
    Ok(())
}

/// The whole of sealing and opening a session of this size, and the parts.
fn add(cases: &mut Vec<Case>, codec: &SealedCodec, size: usize) -> Result<(), Box<dyn Error>> {
    let session = vec![b'x'; size];
    let cookie = codec.seal(&session, NOW, NOW)?;
    let sealing = codec.clone();
    case(cases, "seal", size, move || sealing.seal(black_box(&session), NOW, NOW));
    let opening = codec.clone();
    let text = cookie.clone();
    case(cases, "open", size, move || opening.open(black_box(text.as_bytes()), NOW));

    // Version, key id, purpose and name, and the two times before the session.
    let (associated_data, nonce) = ([1; 54], [2; 24]);
    let cipher = Xaes256Gcm::new(&[7; 32].into());
    let (mut text, sealing) = (vec![3; 16 + size], cipher.clone());
    case(cases, "  cipher, sealing", size, move || {
        let text = InOutBuf::from(&mut text[..]);
        sealing.encrypt_inout_detached(black_box(&nonce.into()), &associated_data, text)
    });
    let mut good = vec![3; 16 + size];
    let in_place = InOutBuf::from(&mut good[..]);
    let tag = cipher
        .encrypt_inout_detached(&nonce.into(), &associated_data, in_place)
        .map_err(|error| error.to_string())?;
    let mut text = good.clone();
    case(cases, "  cipher, opening", size, move || {
        text.copy_from_slice(&good);
        let text = InOutBuf::from(&mut text[..]);
        cipher.decrypt_inout_detached(black_box(&nonce.into()), &associated_data, text, &tag)
    });
    let mut random = ChaCha20Rng::from_seed([5; 32]);
    case(cases, "  nonce", size, move || {
        let mut nonce = [0; 24];
        random.fill_bytes(&mut nonce);
        nonce
    });
    case(cases, "  process id", size, std::process::id);
    let bytes = vec![9; 65 + size];
    case(cases, "  base64, encoding", size, move || {
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(black_box(&bytes))
    });
    case(cases, "  base64, decoding", size, move || {
        base64_simd::URL_SAFE_NO_PAD.decode_to_vec(black_box(&cookie))
    });
    Ok(())
}
