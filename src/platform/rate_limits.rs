//! The rate limiting bindings as the [`RateLimits`] port. A binding that is not configured limits
//! nothing. They are called by hand: what the crate has for them calls when it is awaited, and here
//! the call has to be on its way at once.

use futures_util::future::{LocalBoxFuture, ready};
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Function, Object, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};

use crate::ports::{Limited, PortError, RateLimits};

/// The bindings, each if it is there.
pub struct Bound {
    publishable_keys: Option<JsValue>,
    machine_keys: Option<JsValue>,
    sessions: Option<JsValue>,
    machine_keys_costly: Option<JsValue>,
    sessions_costly: Option<JsValue>,
    strangers: Option<JsValue>,
}

impl Bound {
    /// Opens the bindings.
    pub fn open(env: &Env) -> Self {
        let bound = |name: &str| {
            let binding = Reflect::get(env, &name.into()).ok();
            binding.filter(|binding| !binding.is_undefined())
        };
        Self {
            publishable_keys: bound("PUBLISHABLE_KEY_LIMIT"),
            machine_keys: bound("MACHINE_KEY_LIMIT"),
            sessions: bound("SESSION_LIMIT"),
            machine_keys_costly: bound("MACHINE_KEY_COSTLY_LIMIT"),
            sessions_costly: bound("SESSION_COSTLY_LIMIT"),
            strangers: bound("STRANGER_LIMIT"),
        }
    }
}

/// Calls `binding.limit({key})`.
fn call(binding: &JsValue, key: &str) -> Result<JsFuture, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"key".into(), &key.into())?;
    let limit: Function = Reflect::get(binding, &"limit".into())?.dyn_into()?;
    let promise: Promise = limit.call1(binding, &options)?.dyn_into()?;
    Ok(JsFuture::from(promise))
}

async fn success(answer: JsFuture) -> Result<bool, JsValue> {
    let outcome = answer.await?;
    Reflect::get(&outcome, &"success".into())?.as_bool().ok_or(outcome)
}

impl RateLimits for Bound {
    fn count(
        &self,
        limited: Limited,
        id: &str,
    ) -> LocalBoxFuture<'static, Result<bool, PortError>> {
        let binding = match limited {
            Limited::PublishableKey => &self.publishable_keys,
            Limited::MachineKey => &self.machine_keys,
            Limited::Session => &self.sessions,
            Limited::MachineKeyCostly => &self.machine_keys_costly,
            Limited::SessionCostly => &self.sessions_costly,
            Limited::Stranger => &self.strangers,
        };
        let Some(binding) = binding else { return Box::pin(ready(Ok(true))) };
        let called = call(binding, id);
        Box::pin(async {
            let failed = |e: JsValue| PortError(format!("rate limit: {e:?}"));
            success(called.map_err(failed)?).await.map_err(failed)
        })
    }
}
