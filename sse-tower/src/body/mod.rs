//! Bodies: ours, anyone's, and what both are made of.

mod batch;
mod edit;
mod ending;
mod foreign;
mod native;
mod scan;
mod silence;
mod source;

pub(crate) use self::batch::{Batch, MaybeBatch};
pub(crate) use self::edit::Bom;
pub(crate) use self::ending::{Ending, away};
pub(crate) use self::foreign::ForeignBody;
pub(crate) use self::native::NativeBody;
pub(crate) use self::scan::BlockScan;
pub(crate) use self::source::{
    BoxSource, Chain, ErrorAsEvent, EventSource, FailWith, Filled, FinishWith, Source,
};
