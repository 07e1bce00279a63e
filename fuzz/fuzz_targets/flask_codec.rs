#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| carafe_fuzz::flask_codec(data));
