//! A table says what is wrong with it by line and column, and survives being written.

// A helper of a test may fail as loudly as the test.
#![allow(clippy::unwrap_used)]

use tau_figures::{COLUMNS, Source, Statistic, Table};

const HEADER: &str = "figure,panel,series,source,statistic,network,x,y,y_low,y_high,\
                      unit,seed,preset,commit,device\n";

fn parse(row: &str) -> Result<Table, tau_figures::Error> {
    let good = "f,p,s,ours,mean,,1,2,,,steps,0,paper,abc,cpu\n";
    Table::parse(&format!("{HEADER}{good}{row}\n"))
}

fn check(row: &str, message: &str) {
    assert_eq!(parse(row).unwrap_err().to_string(), message);
}

#[test]
fn a_row_is_read_by_column_name() {
    let table = Table::parse(
        "y,x,figure,panel,series,source,statistic,network,y_low,y_high,unit,seed,preset,commit,device\n\
         1.5, 10 ,f,p,s,published,network,n3,1,2,steps,7,paper,abc,\"gpu, big\"\n",
    );
    let row = table.unwrap().rows()[0].clone();
    assert_eq!(
        (row.x, row.y, row.y_low, row.y_high),
        (Some(10.0), Some(1.5), Some(1.0), Some(2.0))
    );
    assert_eq!((row.source, row.statistic), (Source::Published, Statistic::Network));
    assert_eq!((row.network.as_str(), row.device.as_str()), ("n3", "gpu, big"));
}

#[test]
fn empty_and_non_finite_numbers_are_missing() {
    for number in ["", " ", "NaN", "inf", "-inf"] {
        let table = parse(&format!("f,p,s,ours,mean,,1,{number},,,steps,0,paper,abc,cpu")).unwrap();
        assert_eq!(table.rows()[1].y, None, "{number:?}");
    }
}

#[test]
fn a_wrong_cell_is_named_by_line_and_column() {
    check("f,p,s,ours,mean,,1,two,,,steps,0,paper,abc,cpu", "line 3, column y: not a number: two");
    check(
        "f,p,s,theirs,mean,,1,2,,,steps,0,paper,abc,cpu",
        "line 3, column source: not `ours` or `published`: theirs",
    );
    check(
        "f,p,s,ours,median,,1,2,,,steps,0,paper,abc,cpu",
        "line 3, column statistic: not `network` or `mean`: median",
    );
}

#[test]
fn a_band_has_two_edges_in_order() {
    check(
        "f,p,s,ours,mean,,1,2,1,,steps,0,paper,abc,cpu",
        "line 3, column y_high: missing; a band needs both y_low and y_high",
    );
    check(
        "f,p,s,ours,mean,,1,2,,3,steps,0,paper,abc,cpu",
        "line 3, column y_low: missing; a band needs both y_low and y_high",
    );
    check(
        "f,p,s,ours,mean,,1,2,3,1,steps,0,paper,abc,cpu",
        "line 3, column y_low: above y_high: 3 > 1; swap them",
    );
}

#[test]
fn a_header_has_every_column_and_no_other() {
    let without = HEADER.replace("seed,", "");
    assert!(Table::parse(&without).unwrap_err().to_string().starts_with("missing column: seed"));
    let with = HEADER.replace("seed,", "seed,colour,");
    assert!(Table::parse(&with).unwrap_err().to_string().starts_with("unknown column: colour"));
}

#[test]
fn a_row_with_too_few_cells_is_not_a_row() {
    let error = parse("f,p,s").unwrap_err().to_string();
    assert!(error.starts_with("line 3: not a csv row"), "{error}");
}

#[test]
fn what_is_written_is_read_back_bit_for_bit() {
    let table =
        parse("f,p,\"a, \"\"b\"\"\",published,network,7,0.1,1e-300,,,τ,0,paper,abc,cpu").unwrap();
    let text = table.to_csv().unwrap();
    assert_eq!(Table::parse(&text).unwrap(), table);
    assert_eq!(text.lines().next().unwrap(), COLUMNS.join(","));
}

#[test]
fn an_empty_table_still_has_its_header() {
    let text = Table::default().to_csv().unwrap();
    assert_eq!(text, HEADER);
    assert_eq!(Table::parse(&text).unwrap().rows().len(), 0);
}
