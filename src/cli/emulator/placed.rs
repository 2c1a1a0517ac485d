//! A fault at exact calls as it is written on the command line (`POST /api/v1/traces#2=reset-after`): a text comes
//! in, a placed fault or what is wrong with the text goes out.

use std::time::Duration;

use crate::cli::options::duration;
use crate::emulator::{Calls, Fault, LATE, PlacedFault, RetryAfter, SILENCE, TRICKLE};

/// The names of the faults, as a mistake is answered.
const NAMES: &str = "429, 429:SECONDS, 429-date:SECONDS, 500, 502, 503, 504, reset, silence, silence:TIME, 500-after, \
                     502-after, 503-after, 504-after, reset-after, cut-body, silence-after, silence-after:TIME, \
                     wrong-type, wrong-shape, missing-id, unknown-status, trickle, trickle:TIME, doubled-body, \
                     late-effect, late-effect:TIME";

/// Reads `CALL#N=FAULT`.
pub(super) fn read(text: &str) -> Result<PlacedFault, String> {
    let (place, fault) = text
        .rsplit_once('=')
        .ok_or("must be CALL#N=FAULT, for example `POST /api/v1/traces#2=reset-after`")?;
    let (route, calls) = place
        .rsplit_once('#')
        .ok_or("the call must end in the numbers that meet the fault: #2, #2-4, #1/2 or #*")?;
    Ok(PlacedFault {
        route: route.trim().to_owned(),
        calls: read_calls(calls.trim()).ok_or_else(|| {
            format!("`#{calls}` must be #2, #2-4, #1/2 (the first and every second after it) or #*")
        })?,
        fault: read_fault(fault.trim())?,
    })
}

fn read_calls(text: &str) -> Option<Calls> {
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    if text == "*" {
        return Some(Calls::ALL);
    }
    if let Some((first, step)) = text.split_once('/') {
        return Some(Calls::every(number(first)?, number(step)?));
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (number(first)?, number(last)?);
        return (first <= last).then(|| Calls::range(first, last));
    }
    number(text).map(Calls::nth)
}

fn read_fault(text: &str) -> Result<Fault, String> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    let time = |unsaid: Duration| argument.map_or(Ok(unsaid), duration);
    let seconds = |text: &str| {
        text.parse()
            .map_err(|_| format!("`{name}:{text}` must have a whole number of seconds"))
    };
    let fault = match (name, argument) {
        ("429", None) => Fault::TooMany(RetryAfter::None),
        ("429", Some(text)) => Fault::TooMany(RetryAfter::Seconds(seconds(text)?)),
        ("429-date", Some(text)) => Fault::TooMany(RetryAfter::HttpDate(seconds(text)?)),
        ("silence", _) => Fault::Silence(time(SILENCE)?),
        ("silence-after", _) => Fault::SilenceAfter(time(SILENCE)?),
        ("trickle", _) => Fault::Trickle(time(TRICKLE)?),
        ("late-effect", _) => Fault::LateEffect(time(LATE)?),
        ("500" | "502" | "503" | "504", None) => Fault::Status(status(name)),
        ("500-after" | "502-after" | "503-after" | "504-after", None) => {
            Fault::StatusAfter(status(name.trim_end_matches("-after")))
        }
        ("reset", None) => Fault::Reset,
        ("reset-after", None) => Fault::ResetAfter,
        ("cut-body", None) => Fault::CutBody,
        ("wrong-type", None) => Fault::WrongType,
        ("wrong-shape", None) => Fault::WrongShape,
        ("missing-id", None) => Fault::MissingId,
        ("unknown-status", None) => Fault::UnknownStatus,
        ("doubled-body", None) => Fault::DoubledBody,
        _ => return Err(format!("no fault is called `{text}`; they are: {NAMES}")),
    };
    Ok(fault)
}

/// The number that stands in a name which the caller has matched.
fn status(digits: &str) -> u16 {
    digits.parse().unwrap_or(500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_list_is_a_fault() {
        for name in NAMES.split(", ") {
            let text = name.replace("SECONDS", "2").replace("TIME", "250ms");
            let read = read(&format!("GET /api/v1/traces#1={text}"));
            assert!(read.is_ok(), "{text}: {read:?}");
        }
    }

    #[test]
    fn places_and_arguments() {
        let read = |text: &str| read(text).map(|placed| (placed.route, placed.calls, placed.fault));
        let route = "POST /api/v1/traces".to_owned();
        assert_eq!(
            read("POST /api/v1/traces#2=reset-after"),
            Ok((route.clone(), Calls::nth(2), Fault::ResetAfter))
        );
        assert_eq!(
            read("POST /api/v1/traces #2-4 = silence:2s"),
            Ok((
                route.clone(),
                Calls::range(2, 4),
                Fault::Silence(Duration::from_secs(2))
            ))
        );
        assert_eq!(
            read("POST /api/v1/traces#1/2=429-date:3"),
            Ok((
                route.clone(),
                Calls::every(1, 2),
                Fault::TooMany(RetryAfter::HttpDate(3))
            ))
        );
        assert_eq!(
            read("POST /api/v1/traces#*=503-after"),
            Ok((route, Calls::ALL, Fault::StatusAfter(503)))
        );
        for (text, says) in [
            ("POST /api/v1/traces", "CALL#N=FAULT"),
            ("POST /api/v1/traces=500", "must end in the numbers"),
            ("POST /api/v1/traces#0=500", "`#0` must be"),
            ("POST /api/v1/traces#4-2=500", "`#4-2` must be"),
            ("POST /api/v1/traces#1=501", "no fault is called `501`"),
            ("POST /api/v1/traces#1=reset:5s", "no fault is called"),
            ("POST /api/v1/traces#1=silence:soon", "must be a whole number"),
            ("POST /api/v1/traces#1=429:soon", "whole number of seconds"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
