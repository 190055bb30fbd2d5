//! The way to Durable Objects of a class, which are asked with a text and answer with one. Both go
//! as bytes: strings would be converted four times on their way, payloads of 500 KB among them.

use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast, JsValue};
use worker::web_sys::{RequestInit, Response};
use worker::{Env, ObjectNamespace, js_sys};

use crate::platform::{settings, web};

#[wasm_bindgen]
extern "C" {
    /// One object, as it is asked.
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, url: &str, init: &RequestInit) -> Result<Promise, JsValue>;
}

/// The status of an answer that is no text at all.
pub const NO_TEXT: u16 = 204;

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

    /// Asks the object of this name with the bytes of a text. `None` is the answer [`NO_TEXT`].
    ///
    /// # Errors
    /// When it is not known what it did.
    pub async fn ask(&self, name: &str, bytes: Vec<u8>) -> worker::Result<Option<String>> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&Uint8Array::from(bytes.as_slice()));
        // The runtime has its own now.
        drop(bytes);
        let stub: Stub = self.0.get_by_name(name)?.into_rpc();
        let answer = JsFuture::from(stub.fetch("https://object/", &init)?).await?;
        let answer: Response = answer.unchecked_into();
        if answer.status() == NO_TEXT {
            return Ok(None);
        }
        text(web::bytes(answer.array_buffer()).await?).map(Some)
    }
}

/// The text that an object was asked with, or answers with.
///
/// # Errors
/// When it is no UTF-8.
pub fn text(bytes: Vec<u8>) -> worker::Result<String> {
    String::from_utf8(bytes).map_err(|e| e.to_string().into())
}
