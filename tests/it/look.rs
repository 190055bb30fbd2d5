//! What a product chooses of its pages' look.

use http::header::LOCATION;
use serde_json::json;

use crate::edge::Edge;
use crate::tenant::{Tenant, call};
use crate::visit::{cookie_of, create, launch_target};

#[test]
fn a_product_chooses_font_colours_and_corners_and_hides_the_themes() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let launched = |query: &str| {
        let created = create(&edge, &tenant, json!({"role": "admin"}));
        let answer = call(&edge, "GET", &format!("{}{query}", launch_target(&created)), &[], b"");
        let to = answer.headers[LOCATION].to_str().expect("text").to_owned();
        call(&edge, "GET", &to, &[("cookie", &cookie_of(&answer))], b"").text
    };
    let stylesheet = |page: &str| {
        let rest = page.split_once("rel=\"stylesheet\" href=\"").expect("a stylesheet").1;
        let path = rest.split('"').next().expect("its end").replace("&amp;", "&");
        call(&edge, "GET", &path, &[], b"").text
    };
    let page = launched(
        "&accent=0f766e&accent_dark=2dd4bf&background=fffdf5&font=Inter,+sans-serif&radius=2\
         &themes=hidden&theme=dark",
    );
    assert!(page.contains("data-theme=\"dark\"") && !page.contains("/theme\""), "{page}");
    let css = stylesheet(&page);
    for words in ["--font:\"Inter\",sans-serif", "--radius:2px", "--bg-light:#fffdf5"] {
        assert!(css.contains(words), "{words}: {}", &css[..300]);
    }
    let hostile = launched("&font=x%22%7D*%7Bdisplay:none&radius=99&background=url(x)&themes=no");
    assert!(hostile.contains("/theme\""), "{hostile}");
    let css = stylesheet(&hostile);
    let first = css.lines().next().expect("a line");
    assert!(!first.contains("display") && !first.contains("--radius"), "{first}");
    assert!(!first.contains("--bg-light") && !first.contains("--font"), "{first}");
}
