//! `carafe doctor`: the faults and contradictions of a service, each with its remedy.

mod cookie;
mod environment;
mod http;
mod profile;
mod response;

use carafe::inspect::SetCookieLine;

use crate::args::{DoctorArgs, Profile};
use crate::failure::{Code, Failure};
use crate::json_line::JsonLine;
use crate::output::{Output, Style};
use crate::text::printable;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    /// The fault lets an attacker in, or loses sessions.
    Unsafe,
    /// Two settings contradict each other, or a setting has no effect.
    Contradictory,
    /// The setting could be better.
    Advice,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::Contradictory => "contradictory",
            Self::Advice => "advice",
        }
    }
}

/// One fault, and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    severity: Severity,
    /// A name for scripts, which never changes.
    id: &'static str,
    what: String,
    remedy: String,
}

impl Finding {
    fn new(
        severity: Severity,
        id: &'static str,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { severity, id, what: what.into(), remedy: remedy.into() }
    }
}

/// The findings about one subject.
struct Report {
    place: String,
    findings: Vec<Finding>,
}

pub(crate) fn run(args: &DoctorArgs, output: &mut Output) -> Result<Code, Failure> {
    let name = args.cookie_name.as_deref();
    let cookie = args.cookie.as_ref().map(|cookie| cookie.as_encoded_bytes());
    let line = args.set_cookie.as_ref();
    let line = line.map(|line| response::parse_line(&line.to_string_lossy(), name)).transpose()?;
    let response = args.url.as_ref().map(|url| http::get(url, cookie)).transpose()?;

    let seen = response.as_ref().and_then(|response| response::session_cookie(response, name));
    let profile = chosen_profile(args, line.as_ref().or(seen.as_ref()), output);
    let environment = environment::Environment::read(profile);
    let mut reports = vec![Report {
        place: "environment".to_owned(),
        findings: environment::check(&environment),
    }];
    if let Some(line) = &line {
        let findings = response::check_line(line, &environment);
        reports.push(Report { place: "Set-Cookie line".to_owned(), findings });
    }
    if let (Some(url), Some(response)) = (&args.url, &response) {
        if seen.is_none() {
            output.note(
                "the page sets no session cookie, so that there was little to check: give the URL \
                 of one that does, or the Set-Cookie line of a login with --set-cookie",
            );
        }
        if seen.is_some() || cookie.is_some() {
            let place = format!("response of {url}");
            let findings = response::check(response, seen.as_ref(), name, &environment, cookie);
            reports.push(Report { place, findings });
        }
    }
    let mut found = 0;
    for report in &mut reports {
        report.findings.sort_by_key(|finding| finding.severity);
        found += report.findings.len();
        if args.json {
            json(report, output)?;
        } else {
            print(report, output)?;
        }
    }
    Ok(if found == 0 { Code::Success } else { Code::Refused })
}

/// Returns the profile of `--profile`, or the one that the service's own cookie shows.
fn chosen_profile(args: &DoctorArgs, seen: Option<&SetCookieLine>, output: &mut Output) -> Profile {
    if let Some(profile) = args.profile {
        return profile;
    }
    let profile = seen.map_or(Profile::Flask, profile::shown_by);
    if let (Some(set), false) = (seen, profile == Profile::Flask) {
        output.note(&format!(
            "the cookie {} is one of the profile {}, whose defaults count here; --profile names \
             another",
            printable(&set.name),
            profile.name()
        ));
    }
    profile
}

fn print(report: &Report, output: &mut Output) -> Result<(), Failure> {
    let place = printable(&report.place).into_owned();
    if report.findings.is_empty() {
        let good = output.paint(Style::Good, "good");
        return output.line(format!("{good}: nothing found in the {place}"));
    }
    output.line(output.paint(Style::Heading, &format!("In the {place}:")))?;
    for finding in &report.findings {
        let style = match finding.severity {
            Severity::Advice => Style::Key,
            _ => Style::Warning,
        };
        let severity = output.paint(style, finding.severity.name());
        output.line(format!("  {severity}: {}", printable(&finding.what)))?;
        output.line(format!("    remedy: {}", printable(&finding.remedy)))?;
    }
    Ok(())
}

fn json(report: &Report, output: &mut Output) -> Result<(), Failure> {
    for finding in &report.findings {
        let line = JsonLine::new()
            .text("place", &report.place)
            .text("severity", finding.severity.name())
            .text("finding", finding.id)
            .text("message", &finding.what)
            .text("remedy", &finding.remedy);
        output.line(line.finish())?;
    }
    Ok(())
}
