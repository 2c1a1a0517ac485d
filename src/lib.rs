//! Evaluates a fine-tuned model on Prem Studio, gates it, and launches the next fine-tuning job when
//! the gates allow it. Data flows one way: `suite` → `eval` → `score` → `gate` → `cycle` → `report`.

pub mod cli;
pub mod cycle;
pub mod emulator;
pub mod eval;
pub mod gate;
pub mod github;
pub mod http;
pub mod report;
pub mod results;
pub mod score;
pub mod studio;
pub mod suite;
