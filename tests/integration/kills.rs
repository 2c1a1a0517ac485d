//! Runs that are killed, cut, cancelled, doubled and changed, and then run again: the real program against an
//! emulator, until it is done. Whatever happened on the way, nothing is there twice and nothing is paid for twice.

mod attempts;
mod chance;
mod changed;
mod cuts;
mod doubts;
mod grace;
mod lines;
mod moments;
mod story;
mod two;
