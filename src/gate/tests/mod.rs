//! Builders of gates for the tests of the room.

use crate::suite::{Gate, Otherwise, Place};

mod against_a_baseline;
mod drops;
mod faults;
mod grammar;
mod incomplete;
mod made;
mod properties;
mod sizes;
mod verdicts;
mod wording;

fn gate(require: &str, line: u32) -> Gate {
    Gate {
        require: require.to_owned(),
        otherwise: Otherwise::Fail,
        place: Place {
            file: "suite.yaml".into(),
            line,
            column: 14,
        },
    }
}

fn gates(requires: &[&str]) -> Vec<Gate> {
    requires
        .iter()
        .zip(1..)
        .map(|(require, line)| gate(require, line))
        .collect()
}

fn otherwise(require: &str, otherwise: Otherwise) -> Gate {
    Gate {
        otherwise,
        ..gate(require, 1)
    }
}
