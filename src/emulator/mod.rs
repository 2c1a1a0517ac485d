//! Prem Studio's API over HTTP on loopback: requests come in, the effects a real service would have go into
//! a `World`, replies and (as asked for) faults go out. It knows nothing of the client: its wire shapes are
//! its own, so that a mistake in one does not hide in the other.

mod app;
mod capacity;
mod counters;
mod draw;
mod faults;
mod fields;
mod guard;
mod line;
mod model;
mod options;
mod refusal;
mod routes;
mod server;
mod store;
mod world;

pub use capacity::{Capacity, Rate};
pub use faults::{Calls, Fault, Faults, LATE, PlacedFault, RetryAfter, SILENCE, TRICKLE};
pub use options::{AdditionForm, Home, Latency, Options, Recommending, SeedRow, TraceForm};
pub use server::{Emulator, start};
