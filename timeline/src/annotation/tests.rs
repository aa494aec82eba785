use proptest::prelude::*;

use super::*;

fn note(text: &str) -> Says {
    Says::Note { target: Target::Incident("i-1".to_owned()), text: text.to_owned() }
}

fn written(stamp: u64, annotation: Annotation) -> Written {
    Written { stamp: Stamp::from_bits(stamp), annotation }
}

fn any_written() -> impl Strategy<Value = Written> {
    let says = prop_oneof![
        Just(Says::Removed),
        "[a-c]".prop_map(|text| note(&text)),
        prop::bool::ANY.prop_map(|open| {
            let status = if open { IncidentStatus::Open } else { IncidentStatus::Closed };
            Says::Status { incident: "i-1".to_owned(), status }
        }),
        "[a-c]".prop_map(|query| Says::Search { name: "errors".to_owned(), query }),
    ];
    (0u64..6, 0u8..4, says).prop_map(|(stamp, id, says)| {
        let annotation = Annotation { id: format!("a-{id}"), author: "ada".to_owned(), time: Time(1), says };
        written(stamp, annotation)
    })
}

proptest! {
    /// Whatever order, division and repetition they come in, of each id the largest stands.
    #[test]
    fn merging_is_a_set_of_the_last(list in prop::collection::vec(any_written(), 0..24), at in 0usize..24) {
        let naive: BTreeMap<String, Written> = list.iter().fold(BTreeMap::new(), |mut last, one| {
            let own = last.entry(one.annotation.id.clone()).or_insert_with(|| one.clone());
            *own = own.clone().max(one.clone());
            last
        });
        let (left, right) = list.split_at(at.min(list.len()));
        let merged: Notebook = right.iter().chain(left).chain(right).cloned().collect();
        prop_assert_eq!(merged.last, naive);
    }

    #[test]
    fn json_round_trips(written in any_written()) {
        let text = serde_json::to_string(&written).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Written>(&text).expect("reads back"), written);
    }
}

#[test]
fn an_id_is_made_of_what_is_said_and_a_searchs_of_its_name() {
    let search = |query: &str, time| {
        Annotation::new(
            "ada",
            Time(time),
            Says::Search { name: "errors".to_owned(), query: query.to_owned() },
        )
    };
    assert_eq!(search("status:error", 1).id, search("status:error -cron", 2).id);
    let said = |text: &str, time| Annotation::new("ada", Time(time), note(text)).id;
    assert_eq!(said("a", 1), said("a", 1));
    assert_ne!(said("a", 1), said("a", 2));
    assert_ne!(said("a", 1), said("b", 1));
    assert_eq!(said("a", 1).len(), 18);
}

#[test]
fn status_is_what_was_said_last_and_open_where_nobody_said() {
    let status = |stamp, status| {
        let says = Says::Status { incident: "i-1".to_owned(), status };
        written(stamp, Annotation::new("ada", Time(stamp), says))
    };
    let mut notebook: Notebook =
        [status(3, IncidentStatus::Closed), status(2, IncidentStatus::Open)].into_iter().collect();
    assert_eq!(notebook.status("i-1"), IncidentStatus::Closed);
    assert_eq!(notebook.status("i-2"), IncidentStatus::Open);
    notebook.add(status(4, IncidentStatus::Open));
    assert_eq!(notebook.status("i-1"), IncidentStatus::Open);
}

#[test]
fn open_outlines_come_with_the_latest_touched_first() {
    let outline = |incident: &str| {
        Says::Outline(Outline {
            incident: incident.to_owned(),
            title: "t".to_owned(),
            first: Time(1),
            last: Time(2),
            entities: vec![],
            services: vec![],
            segments: vec![1],
        })
    };
    let ada = |stamp, says| written(stamp, Annotation::new("ada", Time(stamp), says));
    let notebook: Notebook = [
        ada(1, outline("i-1")),
        ada(2, outline("i-2")),
        ada(3, outline("i-3")),
        ada(4, Says::Status { incident: "i-2".to_owned(), status: IncidentStatus::Closed }),
        ada(5, note("again")),
    ]
    .into_iter()
    .collect();
    let open: Vec<&str> = notebook.open_outlines().iter().map(|outline| outline.incident.as_str()).collect();
    assert_eq!(open, ["i-1", "i-3"]);
}

#[test]
fn what_says_nothing_or_too_much_is_refused() {
    let check = |says| Annotation::new("ada", Time(1), says).check().map_err(|unfit| unfit.to_string());
    assert_eq!(check(note("a")), Ok(()));
    assert_eq!(check(note(" ")), Err("the note is empty".to_owned()));
    assert_eq!(check(note(&"a".repeat(20_000))), Err("the note is longer than 16384 bytes".to_owned()));
    let search = Says::Search { name: String::new(), query: "a".to_owned() };
    assert_eq!(check(search), Err("the search's name is empty".to_owned()));
    assert_eq!(Annotation::new("", Time(1), Says::Removed).check(), Err(Unfit::Empty("the author")));
}
