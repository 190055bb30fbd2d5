//! What customers see inside the product: their page, and what they copy from it.

pub mod verification;
