//! The emulator over real sockets: the contract of every call, what it learns, what goes wrong on demand, what
//! it keeps, and foreign clients running against it.

mod busy;
mod contract;
mod crash;
mod faults;
mod forms;
mod learning;
mod peer;
mod peers;
mod placed;
mod storage;
mod training;
