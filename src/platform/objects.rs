//! The way to Durable Objects of a class, which are asked with a text and answer with one.

use worker::js_sys::Promise;
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast, JsValue};
use worker::web_sys::{RequestInit, Response};
use worker::{Env, ObjectNamespace, js_sys};

use crate::platform::settings;

#[wasm_bindgen]
extern "C" {
    /// One object, as it is asked.
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

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
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(text));
        let stub: Stub = self.0.get_by_name(name)?.into_rpc();
        let answer = JsFuture::from(stub.fetch("https://object/", &init)?).await?;
        let answer: Response = answer.unchecked_into();
        let text = JsFuture::from(answer.text()?).await?;
        text.as_string().ok_or_else(|| "an answer that is no text".into())
    }
}
