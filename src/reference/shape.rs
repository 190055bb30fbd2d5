//! Shapes of JSON values: what the reference says of a body, once for all that is made of it. A
//! shape becomes a JSON Schema, an example, and words for people.

use serde_json::{Map, Value, json};

/// What a value looks like.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A value without parts: its JSON Schema and an example.
    Leaf(Value, Value),
    /// One of the shapes that have a name, see [`Names`].
    Named(&'static str),
    /// An array of this, of so many items at least and at most.
    List(Box<Shape>, usize, Option<usize>),
    /// An object with these fields.
    Object(Object),
    /// This or `null`.
    Nullable(Box<Shape>),
    /// One of these and no other.
    OneOf(Vec<Shape>),
    /// One of these, where one text can be several of them.
    AnyOf(Vec<Shape>),
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its fields in the order in which people read them.
    pub fields: Vec<Field>,
    /// Whether it has no others. What we answer is closed; of what we are sent, other keys are
    /// ignored unless this says that they are refused.
    pub closed: bool,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What stands there.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, where the name does not say it.
    pub about: &'static str,
    /// Whether `null` says the same as leaving it out, where it is sent to us.
    pub null_is_absent: bool,
    /// Whether examples have it.
    pub in_example: bool,
}

/// The shapes that have a name, in the order in which people read them.
pub type Names = Vec<(&'static str, Shape)>;

/// A field that is always there.
pub fn need(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true, about: "", null_is_absent: false, in_example: true }
}

/// A field that can be missing. Where it is sent to us `null` says the same.
pub fn may(name: &'static str, shape: Shape) -> Field {
    Field { null_is_absent: true, ..given(name, shape) }
}

/// A field that can be missing, and `null` is none of its values.
pub fn given(name: &'static str, shape: Shape) -> Field {
    Field { required: false, in_example: false, ..need(name, shape) }
}

impl Field {
    /// The same with what it means.
    pub fn says(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The same, and examples have it.
    pub fn shown(mut self) -> Self {
        self.in_example = true;
        self
    }

    /// The same with what stands for it when it is left out.
    pub fn or(mut self, default: impl Into<Value>) -> Self {
        let slot = match &mut self.shape {
            Shape::Leaf(schema, _) => schema,
            Shape::Nullable(inner) => match inner.as_mut() {
                Shape::Leaf(schema, _) => schema,
                _ => return self,
            },
            _ => return self,
        };
        slot["default"] = default.into();
        self
    }
}

/// What we answer: an object with these fields and no others.
pub fn closed(fields: impl IntoIterator<Item = Field>) -> Shape {
    Shape::Object(Object { fields: fields.into_iter().collect(), closed: true })
}

/// What we are sent: an object of which other keys are ignored.
pub fn open(fields: impl IntoIterator<Item = Field>) -> Shape {
    Shape::Object(Object { fields: fields.into_iter().map(or_null).collect(), closed: false })
}

/// The same, and other keys are refused.
pub fn strict(fields: impl IntoIterator<Item = Field>) -> Shape {
    Shape::Object(Object { fields: fields.into_iter().map(or_null).collect(), closed: true })
}

fn or_null(mut field: Field) -> Field {
    if field.null_is_absent {
        field.shape = nullable(field.shape);
    }
    field
}

/// This or `null`.
pub fn nullable(shape: Shape) -> Shape {
    match shape {
        Shape::Nullable(_) => shape,
        other => Shape::Nullable(Box::new(other)),
    }
}

/// An array of this.
pub fn list_of(shape: Shape) -> Shape {
    Shape::List(Box::new(shape), 0, None)
}

/// An array of this, of `least` to `most` items.
pub fn some_of(shape: Shape, least: usize, most: usize) -> Shape {
    Shape::List(Box::new(shape), least, Some(most))
}

impl Shape {
    /// The fields of an object; none of other shapes.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Object(object) => &object.fields,
            Self::Nullable(inner) => inner.fields(),
            _ => &[],
        }
    }

    /// Its JSON Schema (2020-12). Names are references into the document of the API.
    pub fn schema(&self) -> Value {
        match self {
            Self::Leaf(schema, _) => schema.clone(),
            Self::Named(name) => json!({"$ref": format!("#/components/schemas/{name}")}),
            Self::List(items, least, most) => {
                let mut schema = json!({"type": "array", "items": items.schema()});
                if *least > 0 {
                    schema["minItems"] = json!(least);
                }
                if let Some(most) = most {
                    schema["maxItems"] = json!(most);
                }
                schema
            }
            Self::Object(object) => object.schema(),
            Self::Nullable(inner) => or_null_schema(inner.schema()),
            Self::OneOf(shapes) => {
                json!({"oneOf": shapes.iter().map(Self::schema).collect::<Vec<_>>()})
            }
            Self::AnyOf(shapes) => {
                json!({"anyOf": shapes.iter().map(Self::schema).collect::<Vec<_>>()})
            }
        }
    }

    /// An example.
    pub fn example(&self, names: &Names) -> Value {
        match self {
            Self::Leaf(_, example) => example.clone(),
            Self::Named(name) => {
                let found = names.iter().find(|(known, _)| known == name);
                found.map_or(Value::Null, |(_, shape)| shape.example(names))
            }
            Self::List(items, ..) => json!([items.example(names)]),
            Self::Object(object) => {
                let shown = object.fields.iter().filter(|field| field.in_example);
                let pair = |field: &Field| (field.name.to_owned(), field.shape.example(names));
                Value::Object(shown.map(pair).collect())
            }
            Self::Nullable(inner) => inner.example(names),
            Self::OneOf(shapes) | Self::AnyOf(shapes) => {
                shapes.first().map_or(Value::Null, |first| first.example(names))
            }
        }
    }
}

/// The same example as text, with fields in the order in which people read them.
pub fn example_text(shape: &Shape, names: &Names) -> String {
    let mut text = String::new();
    write(shape, names, 0, &mut text);
    text
}

fn write(shape: &Shape, names: &Names, depth: usize, text: &mut String) {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match shape {
        Shape::Leaf(_, example) => {
            let pretty = serde_json::to_string_pretty(example).unwrap_or_default();
            *text += &pretty.replace('\n', &format!("\n{outer}"));
        }
        Shape::Named(name) => {
            let found = names.iter().find(|(known, _)| known == name);
            if let Some((_, shape)) = found {
                write(shape, names, depth, text);
            }
        }
        Shape::List(items, ..) => {
            *text += &format!("[\n{inner}");
            write(items, names, depth + 1, text);
            *text += &format!("\n{outer}]");
        }
        Shape::Object(object) => {
            let shown = object.fields.iter().filter(|field| field.in_example);
            for (index, field) in shown.enumerate() {
                *text += if index == 0 { "{\n" } else { ",\n" };
                *text += &format!("{inner}\"{}\": ", field.name);
                write(&field.shape, names, depth + 1, text);
            }
            let is_empty = !object.fields.iter().any(|field| field.in_example);
            *text += &if is_empty { "{}".to_owned() } else { format!("\n{outer}}}") };
        }
        Shape::Nullable(inner) => write(inner, names, depth, text),
        Shape::OneOf(shapes) | Shape::AnyOf(shapes) => {
            if let Some(first) = shapes.first() {
                write(first, names, depth, text);
            }
        }
    }
}

impl Object {
    fn schema(&self) -> Value {
        let described = |field: &Field| {
            let mut schema = field.shape.schema();
            if !field.about.is_empty() {
                schema["description"] = json!(field.about);
            }
            (field.name.to_owned(), schema)
        };
        let properties: Map<String, Value> = self.fields.iter().map(described).collect();
        let required = self.fields.iter().filter(|field| field.required);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if self.closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    }
}

fn or_null_schema(mut schema: Value) -> Value {
    match schema["type"].clone() {
        // A constant becomes one of two words.
        Value::String(kind) => {
            schema["type"] = json!([kind, "null"]);
            if let Some(only) = schema.as_object_mut().and_then(|schema| schema.remove("const")) {
                schema["enum"] = json!([only]);
            }
            if let Some(words) = schema["enum"].as_array_mut() {
                words.push(Value::Null);
            } else if let Some(schema) = schema.as_object_mut() {
                schema.remove("enum");
            }
            schema
        }
        _ => json!({"oneOf": [schema, {"type": "null"}]}),
    }
}
