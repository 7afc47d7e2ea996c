//! The section of docs/paper.md on divergences from the published code, as it stands there.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::html::push_html;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::scroll;

const PAPER: &str = include_str!("../../../../docs/paper.md");
const HEADING: &str = "Divergences from the published code";

/// The section with its heading. Its tables get captions and scroll in boxes of their own.
pub(super) fn section() -> Markup {
    let mut events = of_section().into_iter();
    let mut written = Vec::new();
    let mut subsection = String::new();
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let heading: Vec<Event> =
                    events.by_ref().take_while(|e| !ends_heading(e)).collect();
                subsection = text(&heading);
                let id = (level == HeadingLevel::H2).then(|| "divergences".into());
                let tag = Tag::Heading { level, id, classes: Vec::new(), attrs: Vec::new() };
                written.push(Event::Start(tag));
                written.extend(heading);
                written.push(Event::End(TagEnd::Heading(level)));
            }
            Event::Start(Tag::Table(_)) => {
                let inside = events.by_ref().take_while(|e| *e != Event::End(TagEnd::Table));
                let caption = format!("{subsection}: what differs, why, and what it changes");
                let boxed = scroll(&caption, &table(&caption, event, inside));
                written.push(Event::Html(boxed.into_string().into()));
            }
            event => written.push(event),
        }
    }
    markup(written)
}

/// The events of the section, its heading first.
fn of_section() -> Vec<Event<'static>> {
    let all: Vec<Event> = Parser::new_ext(PAPER, Options::ENABLE_TABLES).collect();
    let is_section = |event: &Event| {
        matches!(
            event,
            Event::Start(Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2, .. })
        )
    };
    let starts: Vec<usize> = (0..all.len()).filter(|&place| is_section(&all[place])).collect();
    let ends = starts.iter().skip(1).copied().chain([all.len()]);
    let named = |start: usize| {
        let heading = all[start..].iter().take_while(|event| !ends_heading(event));
        text(&heading.cloned().collect::<Vec<_>>()) == HEADING
    };
    let found = starts.iter().zip(ends).find(|(start, _)| named(**start));
    found.map_or_else(Vec::new, |(&start, end)| all[start..end].to_vec())
}

fn ends_heading(event: &Event) -> bool {
    matches!(event, Event::End(TagEnd::Heading(_)))
}

fn text(events: &[Event]) -> String {
    let words = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    words.collect()
}

/// A table with its caption, the cells of its head marked as those of columns.
fn table<'a>(caption: &str, start: Event<'a>, inside: impl Iterator<Item = Event<'a>>) -> Markup {
    let caption = html! { caption { (caption) } }.into_string();
    let mut events = vec![start, Event::InlineHtml(caption.into())];
    let mut in_head = false;
    for event in inside {
        in_head = match event {
            Event::Start(Tag::TableHead) => true,
            Event::End(TagEnd::TableHead) => false,
            _ => in_head,
        };
        events.push(match event {
            Event::Start(Tag::TableCell) if in_head => {
                Event::InlineHtml("<th scope=\"col\">".into())
            }
            Event::End(TagEnd::TableCell) if in_head => Event::InlineHtml("</th>".into()),
            event => event,
        });
    }
    events.push(Event::End(TagEnd::Table));
    markup(events)
}

fn markup(events: Vec<Event>) -> Markup {
    let mut text = String::new();
    push_html(&mut text, events.into_iter());
    PreEscaped(text)
}
