//! What this room asks of Prem Studio. Implemented by the client, and by a fake one in this room's tests.

use std::future::Future;

use super::limits::Wanted;
use crate::studio::{ChatReply, ChatRequest, Failure, Reply, Studio};

/// The calls of an evaluation. Their futures are `Send`, so that an evaluation may run on any thread.
pub(super) trait Service: Sync {
    /// One chat completion.
    fn chat(
        &self,
        request: &ChatRequest<'_>,
    ) -> impl Future<Output = Result<Reply<ChatReply>, Failure>> + Send;
    /// Whether a model is loaded.
    fn model_running(&self, model: &str) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Asks for a model to be loaded.
    fn load_model(&self, model: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// The ids of the models that this key sees.
    fn models(&self) -> impl Future<Output = Result<Vec<String>, Failure>> + Send;
    /// Id and name of the projects that this key sees.
    fn projects(&self) -> impl Future<Output = Result<Vec<(String, String)>, Failure>> + Send;
    /// Requests that were sent so far, repeats included.
    fn sent(&self) -> u64;
    /// How many chat calls to a model may be begun at any time: a service by itself has no limits.
    fn room(&self, _model: &str) -> usize {
        usize::MAX
    }
    /// Chat calls that are begun and can't go for now: others may be begun in their place.
    fn parked(&self) -> usize {
        0
    }
    /// Comes when there may be more room than before though no call is over.
    fn more_room(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
    /// Whether one more call may be begun: a service by itself has no limits.
    fn holds(&self, _: Wanted) -> bool {
        true
    }
}

impl Service for Studio {
    async fn chat(&self, request: &ChatRequest<'_>) -> Result<Reply<ChatReply>, Failure> {
        // Whoever awaits it is moved about before it is polled, as large as what it awaits.
        Box::pin(Studio::chat(self, request)).await
    }

    async fn model_running(&self, model: &str) -> Result<bool, Failure> {
        Studio::model_running(self, model).await
    }

    async fn load_model(&self, model: &str) -> Result<(), Failure> {
        Studio::load_model(self, model).await
    }

    async fn models(&self) -> Result<Vec<String>, Failure> {
        Studio::models(self).await
    }

    async fn projects(&self) -> Result<Vec<(String, String)>, Failure> {
        Studio::projects(self).await
    }

    fn room(&self, model: &str) -> usize {
        self.http().lane(model).room()
    }

    fn parked(&self) -> usize {
        self.http().lanes().parked()
    }

    async fn more_room(&self) {
        self.http().lanes().more_room().await;
    }

    fn sent(&self) -> u64 {
        let tally = self.http().tally();
        tally.values().map(|tally| tally.attempts).sum()
    }
}
