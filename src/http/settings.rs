//! How the client behaves: a base URL and a key come in, settings with documented defaults go out.

use std::time::Duration;

use secrecy::SecretString;

use super::{Limits, Traffic, transport};

/// Default of [`Settings::timeout`]: a judge can take a minute.
pub const TIMEOUT: Duration = Duration::from_secs(120);
/// Default of [`Settings::max_attempts`].
///
/// Of calls that fail one time in five, one in 78,000 fails seven times in a row; of five times it would be one in
/// 3,125, which is every tenth evaluation of some size.
pub const MAX_ATTEMPTS: u32 = 7;
/// A read whose reply has another shape than expected, or lacks a field, is repeated so many times: one garbled
/// reply costs nobody an evaluation, and a service that speaks another language now is not asked on and on.
pub const SHAPE_REPEATS: u32 = 2;
/// So many attempts of a call may end in a time-out: at [`TIMEOUT`] that is six minutes.
pub const TIMEOUT_ATTEMPTS: u32 = 3;
/// Default of [`Settings::backoff`].
pub const BACKOFF: Duration = Duration::from_millis(500);
/// Default of [`Settings::backoff_cap`].
pub const BACKOFF_CAP: Duration = Duration::from_secs(30);
/// Default of [`Settings::retry_after_cap`].
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(120);
/// A reply is read up to this many bytes, counted after decompression.
pub const MAX_REPLY_BYTES: usize = 32 * 1024 * 1024;
/// A reply is read up to this many JSON values. In memory a value of two bytes takes seventy and more, so that a
/// reply within [`MAX_REPLY_BYTES`] could still fill the machine.
pub const MAX_REPLY_VALUES: usize = 500_000;
/// The body of an error is read up to this many bytes, counted after decompression.
pub const MAX_ERROR_BYTES: usize = 64 * 1024;

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://…`, or `http://` on loopback; a path prefix is kept.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`, to the base URL's origin only. Empty: no such header is sent.
    pub key: SecretString,
    /// From sending an attempt to its last byte.
    pub timeout: Duration,
    /// Attempts per call, at least 1.
    pub max_attempts: u32,
    /// The first pause is drawn from 0..=this; it doubles with each attempt.
    pub backoff: Duration,
    /// No pause is longer, unless `Retry-After` asks for it.
    pub backoff_cap: Duration,
    /// `Retry-After` is honoured up to this; a longer one waits this long.
    pub retry_after_cap: Duration,
    /// Sent as `Accept`.
    pub accept: &'static str,
    /// Sent with every call to the base URL; nothing secret.
    pub headers: &'static [(&'static str, &'static str)],
    /// Which replies say that there were too many calls.
    pub limits: Limits,
    /// So many redirects of a GET are followed with the key: within the base URL's origin and below its path.
    pub redirects: u8,
    /// So much time may go into failed attempts and the pauses behind them, of all calls together. A pause that does not
    /// fit in ends its call at once, and when nothing is left no call is sent any more. `None`: no bound.
    pub patience: Option<Duration>,
    /// How much of what is sent in lanes may be on its way. All else is sent when it comes.
    pub traffic: Traffic,
}

impl Settings {
    /// The defaults of this module, for one service and one key.
    pub fn new(base_url: impl Into<String>, key: SecretString) -> Settings {
        Settings {
            base_url: base_url.into(),
            key,
            timeout: TIMEOUT,
            max_attempts: MAX_ATTEMPTS,
            backoff: BACKOFF,
            backoff_cap: BACKOFF_CAP,
            retry_after_cap: RETRY_AFTER_CAP,
            accept: "application/json",
            headers: &[],
            limits: Limits::Status,
            redirects: 0,
            patience: None,
            traffic: Traffic::default(),
        }
    }

    /// Whether there is a key to be sent.
    pub fn has_key(&self) -> bool {
        transport::is_given(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_key() {
        let settings = Settings::new("https://studio.premai.io", "pk-secret-1234".into());
        assert!(!format!("{settings:?}").contains("secret-1234"));
    }
}
