//! The way to Durable Objects of a class, which are asked with a text and answer with one.

use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Env, ObjectNamespace, js_sys, web_sys};

use crate::platform::settings;

/// The objects of a class.
pub struct Objects(ObjectNamespace);

impl Objects {
    /// Those behind a binding. `JURISDICTION` keeps them in a place such as `eu`: they are others
    /// than those outside.
    ///
    /// # Errors
    /// What is wrong with the configuration, for the log.
    pub fn bound(env: &Env, binding: &str) -> Result<Self, String> {
        let namespace = env.durable_object(binding);
        let namespace = namespace.map_err(|e| format!("binding {binding}: {e}"))?;
        let Some(jurisdiction) = settings::jurisdiction(env) else { return Ok(Self(namespace)) };
        let namespace: JsValue = namespace.into();
        let failed = |e: JsValue| format!("JURISDICTION {jurisdiction}: {e:?}");
        // The crate has no name for it yet.
        let method = js_sys::Reflect::get(&namespace, &"jurisdiction".into()).map_err(failed)?;
        let method: js_sys::Function = method.dyn_into().map_err(failed)?;
        let inside = method.call1(&namespace, &(&*jurisdiction).into()).map_err(failed)?;
        Ok(Self(inside.unchecked_into()))
    }

    /// Asks the object of this name.
    ///
    /// # Errors
    /// When it is not known what it did.
    pub async fn ask(&self, name: &str, text: &str) -> worker::Result<String> {
        // Not worker's own `RequestInit`; see `outbound.rs`.
        let init = web_sys::RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(text));
        let request = web_sys::Request::new_with_str_and_init("https://object/", &init)?;
        let stub = self.0.get_by_name(name)?;
        let mut answer = stub.fetch_with_request(request.into()).await?;
        answer.text().await
    }
}
