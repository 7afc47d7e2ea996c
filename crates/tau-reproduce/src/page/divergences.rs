//! The paper's divergences from published code: its Markdown as a section of the page.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::html::push_html;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::scroll;

/// The section with its heading. Its tables get captions and scroll in boxes of their own.
pub(super) fn section(markdown: &str) -> Markup {
    let mut events = without_local_links(Parser::new_ext(markdown, Options::ENABLE_TABLES));
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

/// Links between documents lead nowhere from a page that may be anywhere: only their words stay.
fn without_local_links<'a>(
    events: impl Iterator<Item = Event<'a>>,
) -> impl Iterator<Item = Event<'a>> {
    let mut inside = false;
    events.filter(move |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            inside = !dest_url.contains("://");
            !inside
        }
        Event::End(TagEnd::Link) => !std::mem::take(&mut inside),
        _ => true,
    })
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
