//! One order's life in the shop, and what may befall it.

use super::world::*;
use crate::document::FindingKind;
use crate::record::Record;

/// What befalls an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing; retries that do no harm, and edits one after the other, are played all the same.
    None,
    /// The answer to a charge is lost, and the retry charges again.
    ChargedTwice,
    /// Two clerks save the row that both had read.
    SavedOver,
    /// The cache keeps a row that was cancelled meanwhile, and a packer trusts it.
    ShippedFromCache,
    /// Two consumers apply two messages the wrong way round.
    AppliedBackwards,
    /// A consumer gives up on a message.
    ApplyFailed,
    /// A message reaches nobody.
    Dropped,
    /// A cancelled order is shipped by the owner itself.
    ShippedCancelled,
    /// Somebody without telemetry changes the row.
    ChangedUnseen,
    /// A consumer writes down another state than it was told.
    Garbled,
    /// A charge is tried over and over.
    TriedOver,
    /// A report reads what is rolled back.
    ReadDirty,
}

impl Fault {
    pub(super) const ALL: [Fault; 12] = [
        Fault::None,
        Fault::ChargedTwice,
        Fault::SavedOver,
        Fault::ShippedFromCache,
        Fault::AppliedBackwards,
        Fault::ApplyFailed,
        Fault::Dropped,
        Fault::ShippedCancelled,
        Fault::ChangedUnseen,
        Fault::Garbled,
        Fault::TriedOver,
        Fault::ReadDirty,
    ];

    /// The kind that must be found, first, and what else is true of such an order.
    pub(super) fn truth(self) -> &'static [FindingKind] {
        use FindingKind::*;
        match self {
            Fault::None => &[],
            Fault::ChargedTwice => &[DuplicateApply],
            Fault::SavedOver => &[LostUpdate],
            Fault::ShippedFromCache => &[StaleRead, IllegalTransition],
            Fault::AppliedBackwards => &[OutOfOrderApply],
            Fault::ApplyFailed => &[MissedUpdate],
            Fault::Dropped => &[UnhandledMessage, MissedUpdate],
            Fault::ShippedCancelled => &[IllegalTransition],
            Fault::ChangedUnseen => &[UnexplainedChange],
            Fault::Garbled => &[Divergence],
            Fault::TriedOver => &[RetryStorm],
            Fault::ReadDirty => &[IsolationAnomaly],
        }
    }
}

const OWNER: &str = "shop/orders";

struct Shop {
    world: World,
    version: i64,
    status: &'static str,
    address: &'static str,
    cached: Option<&'static str>,
    /// What the search's read model holds.
    view: &'static str,
}

/// Plays one order; the records that tell of it.
pub(super) fn play(seed: u64, fault: Fault, streams: Streams) -> Vec<Record> {
    let world = World::new(seed, streams);
    let mut shop = Shop { world, version: 0, status: "", address: "old", cached: None, view: "" };
    shop.play(fault);
    shop.world.records
}

impl Shop {
    fn play(&mut self, fault: Fault) {
        let created = self.change("created", None);
        self.apply(SEARCH_1, &created, false);
        self.search(SEARCH_1);
        self.search(SEARCH_2);
        self.world.pass(5, 300);
        self.charge(fault);
        let paid = self.change("paid", None);
        if fault != Fault::AppliedBackwards {
            let garbled = fault == Fault::Garbled;
            self.apply(SEARCH_2, &paid, garbled);
        }
        self.world.pass(5, 300);
        if self.world.chance.below(2) == 0 || fault == Fault::ShippedFromCache {
            self.look();
        }
        self.world.pass(5, 300);
        self.edit(fault == Fault::SavedOver);
        match fault {
            Fault::ReadDirty => self.report(),
            Fault::ChangedUnseen => {
                self.status = "held";
                self.world.pass(5, 300);
            }
            Fault::Garbled => return,
            _ => {}
        }
        self.world.pass(5, 300);
        match fault {
            Fault::ShippedFromCache => {
                let cancelled = self.change("cancelled", Some("cache"));
                self.apply(SEARCH_1, &cancelled, false);
                self.world.pass(50, 600);
            }
            Fault::ShippedCancelled => {
                let cancelled = self.change("cancelled", None);
                self.apply(SEARCH_1, &cancelled, false);
                self.world.pass(50, 600);
            }
            _ => {}
        }
        let shipped =
            if fault == Fault::ShippedFromCache { self.pack() } else { self.change("shipped", None) };
        match fault {
            Fault::AppliedBackwards => {
                self.apply(SEARCH_2, &shipped, false);
                self.world.pass(100, 900);
                self.apply(SEARCH_1, &paid, false);
            }
            Fault::ApplyFailed => {
                self.world.consume(SEARCH_1, &shipped, |world, here| {
                    let write = vec![writes("status", shipped.status).version(shipped.version)];
                    world.state(here, "search/view", true, write);
                });
            }
            Fault::Dropped => {}
            _ => self.apply(SEARCH_1, &shipped, false),
        }
        self.world.pass(50, 300);
        let searched = if self.world.chance.below(2) == 0 { SEARCH_1 } else { SEARCH_2 };
        self.search(searched);
    }

    /// The customer searches: an instance of search answers from the read model.
    fn search(&mut self, process: usize) {
        let view = self.view;
        self.world.enter(GATEWAY, |world, here| {
            world.call(here, process, (0, true), |world, here| {
                world.state(here, "search/view", false, vec![reads("status", view)]);
            });
        });
    }

    /// The owner changes the status and announces it. `keep` leaves the cache as it is.
    fn change(&mut self, status: &'static str, keep: Option<&str>) -> Message {
        let (before, version) = (self.status, self.version + 1);
        let evict = self.cached.is_some() && keep.is_none();
        let process = if self.world.chance.below(2) == 0 { ORDERS_1 } else { ORDERS_2 };
        let address = self.address;
        let message = self.world.enter(GATEWAY, |world, here| {
            world.call(here, process, (0, true), |world, here| {
                let mut write = writes("status", status).version(version);
                if !before.is_empty() {
                    write = write.from(before);
                }
                let mut row = vec![write];
                if before.is_empty() {
                    row.push(writes("address", address).version(version));
                }
                world.state(here, OWNER, false, row);
                if evict {
                    world.call(here, CACHE, (0, true), drop_cached);
                }
                world.publish(here, status, version)
            })
        });
        if evict {
            self.cached = None;
        }
        (self.status, self.version) = (status, version);
        message
    }

    fn apply(&mut self, process: usize, message: &Message, garbled: bool) {
        let status = if garbled { "pa?d" } else { message.status };
        self.view = status;
        self.world.consume(process, message, |world, here| {
            world.state(here, "search/view", false, vec![writes("status", status).version(message.version)]);
        });
    }

    /// The customer looks: the cache answers, or asks the owner and keeps what it is told.
    fn look(&mut self) {
        let (status, cached) = (self.status, self.cached);
        self.world.enter(GATEWAY, |world, here| {
            world.call(here, CACHE, (0, true), |world, here| match cached {
                Some(status) => world.state(here, "redis/order", false, vec![reads("status", status)]),
                None => {
                    world.call(here, ORDERS_1, (0, true), |world, here| {
                        world.state(here, OWNER, false, vec![reads("status", status)]);
                    });
                    world.state(here, "redis/order", false, vec![writes("status", status)]);
                }
            });
        });
        self.cached = self.cached.or(Some(status));
    }

    /// The packer asks the cache and ships what it says is paid.
    fn pack(&mut self) -> Message {
        let (cached, before, version) = (self.cached.unwrap_or("paid"), self.status, self.version + 1);
        let message = self.world.enter(GATEWAY, |world, here| {
            world.call(here, CACHE, (0, true), |world, here| {
                world.state(here, "redis/order", false, vec![reads("status", cached)]);
            });
            world.pass(10, 60);
            world.call(here, ORDERS_1, (0, true), |world, here| {
                world.state(
                    here,
                    OWNER,
                    false,
                    vec![writes("status", "shipped").from(before).version(version)],
                );
                world.call(here, CACHE, (0, true), drop_cached);
                world.publish(here, "shipped", version)
            })
        });
        (self.status, self.version, self.cached) = ("shipped", version, None);
        message
    }

    /// Asks payments for money: once; again after a refusal; again after a lost answer; over and over.
    fn charge(&mut self, fault: Fault) {
        let refused_first = self.world.chance.below(3) == 0;
        self.world.enter(GATEWAY, |world, here| {
            world.call(here, ORDERS_1, (0, true), |world, here| {
                let pay = |world: &mut World, here: Here, failed: bool| {
                    let add = Stated { op: "add", ..writes("paid_cents", 500) };
                    world.state(here, "payments/ledger", failed, vec![add]);
                };
                let attempts: &[(bool, bool)] = match fault {
                    Fault::ChargedTwice => &[(false, false), (false, true)],
                    Fault::TriedOver => &[(true, true); 8],
                    _ if refused_first => &[(true, true), (false, true)],
                    _ => &[(false, true)],
                };
                for (number, (failed, answered)) in (0..).zip(attempts) {
                    world.call(here, PAYMENTS, (number, *answered), |world, here| pay(world, here, *failed));
                    world.pass(20, 90);
                }
            });
        });
    }

    /// Two clerks change the address and the note: one after the other, or each from the row that both had read.
    fn edit(&mut self, over: bool) {
        let version = self.version;
        let row = |address: &'static str, note: &'static str, version: i64| {
            vec![writes("address", address).version(version), writes("note", note).version(version)]
        };
        let seen = |address: &'static str, version: i64| vec![reads("address", address).version(version)];
        if over {
            self.world.enter(ORDERS_1, |world, here| {
                world.state(here, OWNER, false, seen("old", version));
                world.enter(ORDERS_2, |world, here| {
                    world.state(here, OWNER, false, seen("old", version));
                    world.state(here, OWNER, false, row("new", "", version + 1));
                });
                world.pass(5, 60);
                world.state(here, OWNER, false, row("old", "ring", version + 1));
            });
            self.version += 1;
        } else {
            self.world.enter(ORDERS_1, |world, here| {
                world.state(here, OWNER, false, seen("old", version));
                world.state(here, OWNER, false, row("new", "", version + 1));
            });
            self.world.pass(5, 60);
            self.world.enter(ORDERS_2, |world, here| {
                world.state(here, OWNER, false, seen("new", version + 1));
                world.state(here, OWNER, false, row("new", "ring", version + 2));
            });
            self.address = "new";
            self.version += 2;
        }
    }

    /// A clerk's change is rolled back, and a report has read it.
    fn report(&mut self) {
        self.world.enter(ORDERS_1, |world, here| {
            world.state(here, OWNER, true, vec![writes("address", "nowhere")]);
        });
        self.world.enter(ORDERS_2, |world, here| {
            world.state(here, OWNER, false, vec![reads("address", "nowhere")]);
        });
    }
}

fn drop_cached(world: &mut World, here: Here) {
    let delete = Stated { op: "delete", value: None, ..writes("status", "") };
    world.state(here, "redis/order", false, vec![delete]);
}
