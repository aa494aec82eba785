//! One self-contained file: the space-time diagram to walk through. No network, no library; opened from `file://`.
//!
//! | file         | what it alone knows                                                        |
//! |--------------|----------------------------------------------------------------------------|
//! | `page.html`  | the page's frame and what it may load: nothing                             |
//! | `viewer.css` | the looks, in light and dark                                               |
//! | `model.js`   | the document and the ways through it                                       |
//! | `diagram.js` | rows, columns and arrows, of which only those on screen are drawn          |
//! | `viewer.js`  | what a person does: point, click, search, zoom                             |
//!
//! The document stands in the page as JSON in which nothing can end the element, and the scripts write text
//! as text only.

use timeline::document::Timeline;

use super::{json, words};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("viewer.css");
const SCRIPTS: [&str; 3] = [include_str!("model.js"), include_str!("diagram.js"), include_str!("viewer.js")];

/// The page.
pub(super) fn html(timeline: &Timeline) -> String {
    // The texts of telemetry come last, so that none of them is taken for a place to fill.
    let page = PAGE.replace("/* style */", STYLE).replace("/* scripts */", &SCRIPTS.concat());
    let (before, rest) = page.split_once("{title}").unwrap_or((&page, ""));
    let (between, after) = rest.split_once("{document}").unwrap_or((rest, ""));
    let title = escape(&words::entity(&timeline.entity));
    let document = embedded(&serde_json::to_string(timeline).unwrap_or_default());
    format!("{before}{title}{between}{document}{after}")
}

/// JSON without the characters that HTML looks for: they only stand in texts.
fn embedded(json: &str) -> String {
    json::escaped(json).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::story;

    #[test]
    fn the_document_in_the_page_is_the_document() {
        let told = story::hostile("</script><!-- {document} {title} &amp; \u{2028}", 3);
        let page = html(&told);
        let (_, rest) = page.split_once("type=\"application/json\">").expect("the document's element");
        let (document, _) = rest.split_once("</script>").expect("its end");
        let read: Timeline = serde_json::from_str(document).expect("JSON");
        assert_eq!(read, told);
    }

    #[test]
    fn the_page_names_no_place_to_load_from() {
        let page = html(&story::whole());
        for loading in ["http://", "https://", "src=", "@import", "fetch(", "innerHTML", "eval("] {
            let allowed =
                page.matches("http://www.w3.org/2000/svg").count() * usize::from(loading == "http://");
            assert_eq!(page.matches(loading).count(), allowed, "{loading}");
        }
    }
}
