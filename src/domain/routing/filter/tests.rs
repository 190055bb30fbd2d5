//! Tables and properties of filters.

use super::*;
use proptest::prelude::*;

use crate::domain::base::limits::FILTER_REASON_CHARS_MAX;

const ORDER: &str = r#"{"order":{"total":120.50,"currency":"EUR","paid":true,"note":null,
    "items":[{"sku":"A-1","n":2},{"sku":"B-2","n":1}],"id":12345678901234567890123,"a.b":1,
    "at":"2026-11-25T10:00:00Z"}}"#;

fn check(filter: &str, payload: &str) -> std::result::Result<(), String> {
    let filter = Filter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"));
    let budget = Budget::new(100_000);
    filter.check(&Tree::read(payload).expect("a payload"), &budget).map_err(|why| match why {
        NotPassed::Fails(why) => why.told(),
        NotPassed::TooCostly => panic!("{payload} is too costly"),
    })
}

#[test]
fn conditions_hold_or_not() {
    for (filter, expected) in [
        (r#"{"path":"order.total","gt":100}"#, true),
        (r#"{"path":"order.total","gt":120.5}"#, false),
        (r#"{"path":"order.total","eq":120.5}"#, true),
        (r#"{"path":"order.total","gt":100,"lt":200}"#, true),
        (r#"{"path":"order.total","gt":100,"lt":120}"#, false),
        (r#"{"path":"order.total","eq":"120.50"}"#, false),
        (r#"{"path":"order.currency","in":["EUR","USD"]}"#, true),
        (r#"{"path":"order.currency","in":["usd",1,null]}"#, false),
        (r#"{"path":"order.currency","starts_with":"E"}"#, true),
        (r#"{"path":"order.currency","starts_with":"e"}"#, false),
        (r#"{"path":"order.total","starts_with":"1"}"#, false),
        (r#"{"path":"order.at","gt":"2026-11-01"}"#, true),
        (r#"{"path":"order.at","lt":5}"#, false),
        (r#"{"path":"order.paid","eq":true}"#, true),
        (r#"{"path":"order.paid","ne":true}"#, false),
        (r#"{"path":"order.note","eq":null}"#, true),
        (r#"{"path":"order.note","exists":true}"#, true),
        (r#"{"path":"order.missing","exists":true}"#, false),
        (r#"{"path":"order.missing","exists":false}"#, true),
        (r#"{"path":"order.missing","eq":null}"#, false),
        (r#"{"path":"order.missing","ne":1}"#, true),
        (r#"{"path":"order.missing","lt":1}"#, false),
        (r#"{"path":"order.items.1.sku","eq":"B-2"}"#, true),
        (r#"{"path":"order.items.2.sku","exists":true}"#, false),
        (r#"{"path":"order.items","eq":null}"#, false),
        (r#"{"path":"order.items","ne":null}"#, true),
        (r#"{"path":"order.a\\.b","eq":1}"#, true),
        // More digits than a double has: both sides of the next number.
        (r#"{"path":"order.id","gt":12345678901234567168}"#, true),
        (r#"{"path":"order.id","eq":1.2345678901234568e22}"#, false),
        (r#"{"and":[{"path":"order.total","gt":1},{"path":"order.paid","eq":true}]}"#, true),
        (r#"{"or":[{"path":"order.total","gt":999},{"path":"order.paid","eq":true}]}"#, true),
        (r#"{"or":[{"path":"order.total","gt":999},{"path":"x","eq":true}]}"#, false),
        (r#"{"not":{"path":"order.paid","eq":true}}"#, false),
        (r#"{"not":{"path":"order.missing","gt":1}}"#, true),
    ] {
        assert_eq!(check(filter, ORDER).is_ok(), expected, "{filter}");
    }
}

#[test]
fn what_failed_is_told_and_nothing_of_the_payload() {
    let order = r#"{"total":1,"name":"Zoë","paid":false}"#;
    for (filter, expected) in [
        (r#"{"path":"total","gt":100}"#, "total gt 100"),
        (r#"{"path":"name","in":["a",2]}"#, "name in [\"a\",2]"),
        (
            r#"{"and":[{"path":"total","eq":1},{"and":[{"path":"paid","eq":true}]}]}"#,
            "and[1].and[0]: paid eq true",
        ),
        (r#"{"and":[{"or":[{"path":"x","eq":1}]}]}"#, "and[0]: none of or holds"),
        (r#"{"not":{"path":"total","eq":1}}"#, "what is in not holds"),
    ] {
        assert_eq!(check(filter, order), Err(expected.to_owned()), "{filter}");
    }
    let long = format!(r#"{{"path":"name","eq":"{}"}}"#, "é".repeat(500));
    let why = check(&long, order).expect_err("it is not");
    assert_eq!(why.chars().count(), FILTER_REASON_CHARS_MAX);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let many = format!(r#"{{"and":[{}]}}"#, vec![r#"{"path":"a","eq":1}"#; 64].join(","));
    let list = format!(r#"{{"path":"a","in":[{}]}}"#, vec!["1"; 101].join(","));
    let deep = format!("{}{}{}", r#"{"not":"#.repeat(8), r#"{"path":"a","eq":1}"#, "}".repeat(8));
    let deep_at = ["not"; 8].join(".");
    let long_path = format!(r#"{{"path":"{}","eq":1}}"#, "a".repeat(257));
    for (filter, param) in [
        ("7", ""),
        ("[]", ""),
        ("{}", ""),
        ("{", ""),
        (r#"{"path":"a"}"#, ""),
        (r#"{"eq":1}"#, ""),
        (r#"{"and":[],"or":[]}"#, ""),
        (r#"{"and":[]}"#, "and"),
        (r#"{"and":{}}"#, "and"),
        (r#"{"and":[{"path":"a","eq":1},{"path":"a","gt":true}]}"#, "and[1].gt"),
        (r#"{"not":{"or":[7]}}"#, "not.or[0]"),
        (r#"{"path":"a","between":1}"#, "between"),
        (r#"{"path":"a","eq":1,"eq":1}"#, "eq"),
        (r#"{"path":1,"eq":1}"#, "path"),
        (r#"{"path":"","eq":1}"#, "path"),
        (r#"{"path":"a..b","eq":1}"#, "path"),
        (r#"{"path":"a.","eq":1}"#, "path"),
        (r#"{"path":"a\\","eq":1}"#, "path"),
        (r#"{"path":"a\\b","eq":1}"#, "path"),
        (r#"{"path":"a","eq":[1]}"#, "eq"),
        (r#"{"path":"a","eq":{}}"#, "eq"),
        (r#"{"path":"a","in":1}"#, "in"),
        (r#"{"path":"a","in":[]}"#, "in"),
        (r#"{"path":"a","in":[[]]}"#, "in[0]"),
        (r#"{"path":"a","exists":1}"#, "exists"),
        (r#"{"path":"a","starts_with":1}"#, "starts_with"),
        (r#"{"path":"a","gt":1e400}"#, "gt"),
        (r#"{"path":"a","eq":12345678901234567890123}"#, "eq"),
        (r#"{"path":"a","eq":0.12345678901234567890}"#, "eq"),
        (many.as_str(), "and[63]"),
        (list.as_str(), "in"),
        (deep.as_str(), deep_at.as_str()),
        (long_path.as_str(), "path"),
        (" ".repeat(4_097).as_str(), ""),
        ("[".repeat(4_000).as_str(), ""),
        (format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)).as_str(), ""),
    ] {
        let error = Filter::parse(filter).expect_err(filter);
        let named = error.fields.first().map(|field| field.param.as_str());
        assert_eq!(named, Some(param), "{filter}: {error}");
    }
}

fn scalar_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        (-1e6..1e6).prop_map(|n: f64| json!(n)),
        "[ab\\\\\"é]{0,3}".prop_map(Value::from),
    ]
}

fn condition_json() -> impl Strategy<Value = Value> {
    let test = prop_oneof![
        ("eq|ne", scalar_json()).prop_map(|(word, value)| (word, value)),
        (
            "gt|lt",
            prop_oneof![any::<i64>().prop_map(Value::from), "[ab]{0,2}".prop_map(Value::from)]
        )
            .prop_map(|(word, value)| (word, value)),
        prop::collection::vec(scalar_json(), 1..4).prop_map(|list| ("in".into(), list.into())),
        any::<bool>().prop_map(|is| ("exists".into(), is.into())),
        "[ab]{0,2}".prop_map(|text| ("starts_with".into(), text.into())),
    ];
    let leaf = ("[abc]([.][abc01]){0,2}", test).prop_map(|(path, (word, value))| {
        let mut leaf = json!({"path": path});
        leaf[word] = value;
        leaf
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            ("and|or", list).prop_map(|(word, list)| json!({ (word.as_str()): list })),
            inner.prop_map(|one| json!({"not": one})),
        ]
    })
}

fn payload_json() -> impl Strategy<Value = Value> {
    scalar_json().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_as_the_same(filter in condition_json()) {
        let filter = filter.to_string();
        let parsed = Filter::parse(&filter);
        prop_assume!(parsed.is_ok(), "a number that is not kept");
        let parsed = parsed.expect("a filter");
        let printed = parsed.to_json().to_string();
        prop_assert_eq!(Filter::parse(&printed).expect("the same"), parsed);
    }

    #[test]
    fn not_is_the_opposite(
        a in condition_json(), b in condition_json(), payload in payload_json(),
    ) {
        let payload = payload.to_string();
        let passes = |filter: Value| {
            let filter = filter.to_string();
            let filter = Filter::parse(&filter);
            let tree = Tree::read(&payload).expect("JSON");
            filter.ok().map(|filter| filter.check(&tree, &Budget::new(100_000)).is_ok())
        };
        let (is_a, is_b) = (passes(a.clone()), passes(b.clone()));
        prop_assume!(is_a.is_some() && is_b.is_some());
        let both = json!([a.clone(), b.clone()]);
        prop_assert_eq!(passes(json!({"not": a.clone()})), is_a.map(|is| !is));
        prop_assert_eq!(passes(json!({"not": {"not": a.clone()}})), is_a);
        let is_both = is_a == Some(true) && is_b == Some(true);
        prop_assert_eq!(passes(json!({"and": both.clone()})), Some(is_both));
        // De Morgan.
        let neither = json!([{"not": a}, {"not": b}]);
        let not_and = passes(json!({"not": {"and": both.clone()}}));
        prop_assert_eq!(not_and, passes(json!({"or": neither.clone()})));
        prop_assert_eq!(passes(json!({"not": {"or": both}})), passes(json!({"and": neither})));
    }

    #[test]
    fn in_is_any_eq_and_ne_is_not_eq(
        path in "[abc]([.][abc01]){0,1}",
        values in prop::collection::vec(scalar_json(), 1..4),
        payload in payload_json(),
    ) {
        let payload = payload.to_string();
        let passes = |word: &str, value: &Value| {
            let mut filter = json!({"path": path});
            filter[word] = value.clone();
            let filter = filter.to_string();
            let filter = Filter::parse(&filter).ok()?;
            Some(filter.check(&Tree::read(&payload).expect("JSON"), &Budget::new(100_000)).is_ok())
        };
        let each: Vec<_> = values.iter().map(|value| passes("eq", value)).collect();
        prop_assume!(each.iter().all(Option::is_some));
        let any = each.contains(&Some(true));
        prop_assert_eq!(passes("in", &json!(values)), Some(any));
        for (value, is) in values.iter().zip(each) {
            prop_assert_eq!(passes("ne", value), is.map(|is| !is));
        }
    }

    #[test]
    fn nothing_makes_it_panic(filter in ".{0,60}", payload in "[\\[\\]{}\":,0-9a-c.\\\\]{0,40}") {
        let _ = Filter::parse(&filter);
        let filter = Filter::parse(r#"{"path":"a.0","gt":1}"#).expect("a filter");
        if let Some(tree) = Tree::read(&payload) {
            let _ = filter.check(&tree, &Budget::new(100_000));
        }
    }
}

/// What took 5.9 s: one number of 520,000 digits against 18 lists of 100 numbers.
#[test]
fn a_long_number_is_read_once() {
    let list: Vec<String> = (0..100).map(|n| (n % 10).to_string()).collect();
    let one = format!(r#"{{"path":"n","in":[{}]}}"#, list.join(","));
    let filter = format!(r#"{{"or":[{}]}}"#, vec![one; 18].join(","));
    let filter = Filter::parse(&filter).expect("a filter");
    let payload = format!(r#"{{"n":{}}}"#, "7".repeat(520_000));
    let tree = Tree::read(&payload).expect("a payload");
    // Each comparison is made once and costs what the filter's number has, and nothing of the
    // payload's.
    let budget = Budget::new(18 * (100 * 2 + 3) + 1);
    let unmet = Unmet { way: String::new(), what: Part::Or };
    assert_eq!(filter.check(&tree, &budget), Err(NotPassed::Fails(unmet)));
}

/// A workspace may keep a hundred thousand values in its filters, and each emit reads them.
#[test]
fn values_are_those_of_the_text() {
    let text = r#"{"path":"n","in":[0,-7,1.5,12345678901234567890,"a",1e2,true,null]}"#;
    for filter in [Filter::parse(text), Filter::read(text)] {
        let Filter(Condition::At(_, tests)) = filter.expect("a filter") else {
            panic!("one condition")
        };
        let is_copied = |value: &&Tree<'_>| matches!(value, Tree::Text(Cow::Owned(_)));
        assert_eq!((tests[0].values.len(), tests[0].values.iter().find(is_copied)), (8, None));
    }
    let printed = Filter::parse(text).expect("a filter").to_json().to_string();
    assert!(printed.contains("100.0"), "printed as every reader keeps it: {printed}");
}

#[test]
fn what_costs_too_much_is_not_known() {
    let entries: Vec<String> = (0..1_000).map(|n| format!(r#""k{n}":1"#)).collect();
    let payload = format!("{{{}}}", entries.join(","));
    let tree = Tree::read(&payload).expect("a payload");
    for filter in [r#"{"path":"k0","eq":1}"#, r#"{"not":{"path":"k0","eq":1}}"#] {
        let filter = Filter::parse(filter).expect("a filter");
        assert_eq!(filter.check(&tree, &Budget::new(900)), Err(NotPassed::TooCostly));
    }
    let filter = Filter::parse(r#"{"path":"k0","eq":1}"#).expect("a filter");
    assert_eq!(filter.check(&tree, &Budget::new(1_100)), Ok(()));
    let digits = format!(r#"{{"path":"a","eq":1.{}}}"#, "0".repeat(1_000));
    assert!(Filter::parse(&digits).is_err());
}
