//! The pages of the shop.

use carafe::csrf::Csrf;
use carafe::{Error, Typed};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Cart;

/// The products: for each a part of its path, and its name.
pub(crate) const PRODUCTS: [(&str, &str); 3] =
    [("carafe", "Carafe"), ("glass", "Glass"), ("cork", "Cork & corkscrew")];

pub(crate) fn name_of(product: &str) -> Option<&'static str> {
    PRODUCTS.iter().find(|(path, _)| *path == product).map(|(_, name)| *name)
}

pub(crate) fn shop(cart: &Typed<Cart>, csrf: &Csrf) -> Result<Markup, Error> {
    let content = html! {
        ul {
            @for (product, name) in PRODUCTS {
                li {
                    span { (name) }
                    form.add method="post" action={ "/add/" (product) } {
                        (PreEscaped(csrf.field()?))
                        button aria-label={ "Add: " (name) } { "Add" }
                    }
                }
            }
        }
        script src="/shop.js" defer {}
    };
    page("Shop", cart, &content)
}

pub(crate) fn cart(cart: &Typed<Cart>, csrf: &Csrf) -> Result<Markup, Error> {
    let content = html! {
        @if cart.items.is_empty() { p { "It is empty." } }
        ul {
            @for (product, count) in &cart.items {
                @let name = name_of(product).unwrap_or(product);
                li {
                    span { (count) " × " (name) }
                    form method="post" action={ "/remove/" (product) } {
                        (PreEscaped(csrf.field()?))
                        button aria-label={ "Remove: " (name) } { "Remove" }
                    }
                }
            }
        }
    };
    page("Your cart", cart, &content)
}

fn page(title: &str, cart: &Typed<Cart>, content: &Markup) -> Result<Markup, Error> {
    // Taking them out is what makes each message be shown once.
    let messages = cart.session().get_flashed_messages()?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/shop.css";
            }
            body {
                nav {
                    a href="/" { "Shop" }
                    a href="/cart" { "Cart: " span #count aria-live="polite" { (cart.count()) } }
                }
                main {
                    h1 { (title) }
                    @for flash in &messages {
                        p.flash role="status" { (flash.message.as_str().unwrap_or_default()) }
                    }
                    (content)
                }
            }
        }
    })
}
