#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| carafe_fuzz::cookie_header(data));
