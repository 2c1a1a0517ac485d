//! A service and a purse come in; the same service goes out, with every call in the purse's books, and without
//! the requests that the purse does not hold.

use super::limits::{Purse, Wanted};
use super::service::Service;
use crate::studio::{ChatReply, ChatRequest, Failure, FailureKind, Purpose, Reply, tokens};

/// A service whose calls are counted.
#[derive(Debug)]
pub(super) struct Metered<'a, S> {
    pub(super) service: &'a S,
    pub(super) purse: &'a Purse<'a>,
}

/// A call on its way. It is over when this is dropped, whatever became of it.
struct Flight<'a> {
    purse: &'a Purse<'a>,
    purpose: Purpose,
    tokens: Option<u64>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.purse.landed(self.purpose, self.tokens);
    }
}

impl<S> Metered<'_, S> {
    fn request(&self, call: &'static str) -> Result<(), Failure> {
        match self.purse.refuses(Wanted::Request) {
            None => Ok(()),
            Some(_) => Err(Failure {
                call,
                kind: FailureKind::Rejected,
                status: None,
                attempts: 0,
                message: "not sent: the evaluation's limit is reached".to_owned(),
                retry_after: None,
            }),
        }
    }
}

impl<S: Service> Service for Metered<'_, S> {
    async fn chat(&self, request: &ChatRequest<'_>) -> Result<Reply<ChatReply>, Failure> {
        self.purse.left(request.purpose);
        let mut flight = Flight {
            purse: self.purse,
            purpose: request.purpose,
            tokens: None,
        };
        let reply = self.service.chat(request).await;
        flight.tokens = reply.as_ref().ok().map(|reply| tokens(request, &reply.value));
        reply
    }

    async fn model_running(&self, model: &str) -> Result<bool, Failure> {
        self.request("model running")?;
        self.service.model_running(model).await
    }

    async fn load_model(&self, model: &str) -> Result<(), Failure> {
        self.request("load model")?;
        self.service.load_model(model).await
    }

    async fn models(&self) -> Result<Vec<String>, Failure> {
        self.request("list models")?;
        self.service.models().await
    }

    async fn projects(&self) -> Result<Vec<(String, String)>, Failure> {
        self.request("list projects")?;
        self.service.projects().await
    }

    fn sent(&self) -> u64 {
        self.service.sent()
    }

    fn room(&self, model: &str) -> usize {
        self.service.room(model)
    }

    fn parked(&self) -> usize {
        self.service.parked()
    }

    async fn more_room(&self) {
        self.service.more_room().await;
    }

    fn holds(&self, wanted: Wanted) -> bool {
        self.service.holds(wanted) && self.purse.refuses(wanted).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures::reply;
    use crate::studio::ChatMessage;

    #[test]
    fn a_reply_without_a_count_is_guessed_from_its_size() {
        let messages = [
            ChatMessage {
                role: "system",
                content: "12345678",
            },
            ChatMessage {
                role: "user",
                content: "1",
            },
        ];
        let request = ChatRequest {
            purpose: Purpose::Answer,
            project: "",
            model: "",
            messages: &messages,
            temperature: None,
            top_p: None,
            seed: None,
            max_completion_tokens: None,
            stop: &[],
        };
        let mut came = reply("12345").value;
        assert_eq!(tokens(&request, &came), 11 + 7);
        came.prompt_tokens = None;
        assert_eq!(tokens(&request, &came), 3 + 7);
        came.completion_tokens = None;
        assert_eq!(tokens(&request, &came), 3 + 2);
        came.content = None;
        assert_eq!(tokens(&request, &came), 3);
    }
}
