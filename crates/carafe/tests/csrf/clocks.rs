//! Machines of one service with different clocks.

use std::sync::Arc;

use carafe::signing::CLOCK_SKEW;
use carafe::store::MemoryStore;
use carafe::{Clock, SessionLayer};

use crate::visitor::{NOW, Visitor, csrf, key};

/// Returns two machines: one whose clock is ahead by this many seconds, and one at `NOW`.
fn machines(layer: impl Fn() -> SessionLayer, ahead: u64, wtf: bool) -> [Visitor; 2] {
    [NOW + ahead, NOW].map(|now| {
        let csrf = if wtf { csrf().flask_wtf() } else { csrf() };
        Visitor::with(layer().with_clock(Clock::fixed(now)), csrf)
    })
}

/// The form of a visitor without a session, whose secret is in a cookie of its own.
#[tokio::test]
async fn a_form_from_a_machine_whose_clock_is_ahead_passes() {
    let store = Arc::new(MemoryStore::new());
    let layers: [&dyn Fn() -> SessionLayer; 4] = [
        &|| SessionLayer::flask(key()),
        &|| SessionLayer::signed(key()).unwrap(),
        &|| SessionLayer::sealed(key()).unwrap(),
        &|| SessionLayer::stored(Arc::clone(&store), key()).unwrap(),
    ];
    for layer in layers {
        for (seconds, passes) in [(1, true), (CLOCK_SKEW, true), (CLOCK_SKEW + 1, false)] {
            let [mut ahead, mut here] = machines(layer, seconds, false);
            let token = ahead.token().await;
            here.cookies = ahead.cookies;
            assert_eq!(here.passes(&token).await, passes, "{seconds} s ahead");
        }
    }
}

/// Flask-WTF's tokens are signed with the time, and so is the session that they are compared with.
#[tokio::test]
async fn a_token_of_flask_wtf_is_judged_like_the_session() {
    for (seconds, signed) in [(0, true), (1, true), (CLOCK_SKEW, true), (CLOCK_SKEW + 1, false)] {
        let layer = || SessionLayer::signed(key()).unwrap();
        let [mut ahead, mut here] = machines(layer, seconds, true);
        let token = ahead.token().await;
        here.cookies = ahead.cookies;
        assert_eq!(here.passes(&token).await, signed, "{seconds} s ahead");
        let [mut ahead, mut here] = machines(|| SessionLayer::flask(key()), seconds, true);
        let token = ahead.token().await;
        here.cookies = ahead.cookies;
        assert_eq!(here.passes(&token).await, seconds == 0, "{seconds} s ahead of Flask");
    }
}
