use std::sync::Arc;

use super::*;
use crate::testing::conformance::{self, Make};

struct InProcess;

impl Make for InProcess {
    type Query = Local<Arc<dyn Archive>>;

    fn over(&self, archive: Arc<dyn Archive>) -> Self::Query {
        Local::new(archive, "memory", conformance::now)
    }
}

#[test]
fn it_conforms() {
    conformance::conforms(&InProcess);
}
