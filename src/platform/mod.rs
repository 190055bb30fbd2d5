//! The roof.
use worker::*;
#[event(fetch)]
async fn fetch(_req: HttpRequest, _env: Env, _ctx: Context) -> Result<http::Response<Body>> {
    Ok(http::Response::new(Body::empty()))
}
