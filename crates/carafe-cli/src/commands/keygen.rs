//! `carafe keygen`

use carafe::signing::KeyText;

use crate::args::{KeygenArgs, KeygenFormat};
use crate::failure::{Code, Failure};
use crate::output::Output;

pub(crate) fn run(args: &KeygenArgs, output: &mut Output) -> Result<Code, Failure> {
    let (start, text) = match args.format {
        KeygenFormat::Hex => ("", KeyText::Hex),
        KeygenFormat::Base64 => ("", KeyText::Base64),
        KeygenFormat::Env => ("SECRET_KEY=", KeyText::Hex),
    };
    let key = text.random(usize::from(args.bytes)).map_err(Failure::usage)?;
    output.line(format!("{start}{key}"))?;
    Ok(Code::Success)
}
