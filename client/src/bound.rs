//! Lays out parameters as a driver takes them: a buffer for each marker, with the values of all sets one after the
//! other.

use crate::Parameter;

/// The buffer that is bound to one marker.
pub(crate) struct Bound {
    pub(crate) c_type: i16,
    pub(crate) sql_type: i16,
    pub(crate) size: usize,
    pub(crate) digits: i16,
    /// The values, `stride` bytes each.
    pub(crate) bytes: Vec<u8>,
    pub(crate) stride: usize,
    pub(crate) lengths: Vec<isize>,
}

impl Bound {
    /// Makes a buffer for each marker of these sets.
    ///
    /// # Errors
    /// The sets have different lengths, or a marker has values of several C types, which no application can bind.
    pub(crate) fn columns(sets: &[Vec<Parameter>]) -> Result<Vec<Bound>, &'static str> {
        let width = sets.first().map_or(0, Vec::len);
        if sets.iter().any(|set| set.len() != width) {
            return Err("the sets of parameters are not equally long");
        }
        (0..width).map(|at| Bound::column(sets, at)).collect()
    }

    fn column(sets: &[Vec<Parameter>], at: usize) -> Result<Bound, &'static str> {
        let values = || sets.iter().map(|set| &set[at]);
        // NULL has no type of its own.
        let typed = || values().filter(|value| value.bytes.is_some());
        let Some(model) = typed().next().or_else(|| values().next()) else {
            return Err("there is no set of parameters");
        };
        if typed().any(|value| value.c_type != model.c_type) {
            return Err("a parameter has values of several types");
        }
        let length = |value: &Parameter| value.bytes.as_ref().map_or(0, Vec::len);
        let stride = values().map(length).max().unwrap_or(0).max(1);
        let mut bytes = vec![0; stride * sets.len()];
        for (value, place) in values().zip(bytes.chunks_exact_mut(stride)) {
            if let Some(content) = &value.bytes {
                place[..content.len()].copy_from_slice(content);
            }
        }
        let length = |value: &Parameter| value.bytes.as_ref().map_or(odbc_sys::NULL_DATA, |bytes| bytes.len() as isize);
        Ok(Bound {
            c_type: model.c_type,
            sql_type: model.sql_type,
            size: values().map(|value| value.size).max().unwrap_or(1),
            digits: values().map(|value| value.digits).max().unwrap_or(0),
            bytes,
            stride,
            lengths: values().map(length).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use super8_cassette::Value;

    fn sets(values: &[Value]) -> Vec<Vec<Parameter>> {
        values.iter().map(|value| vec![Parameter::of(value, false).unwrap()]).collect()
    }

    #[test]
    fn values_stand_one_after_the_other() {
        let bound = Bound::columns(&sets(&["one".into(), Value::Null, "three".into()])).unwrap().remove(0);
        assert_eq!((bound.stride, bound.size, &bound.lengths[..]), (5, 5, &[3, odbc_sys::NULL_DATA, 5][..]));
        assert_eq!(bound.bytes, b"one\0\0\0\0\0\0\0three");
        let bound = Bound::columns(&sets(&[Value::Null, Value::Int(2)])).unwrap().remove(0);
        assert_eq!((bound.stride, &bound.lengths[..]), (8, &[odbc_sys::NULL_DATA, 8][..]));
        assert!(Bound::columns(&sets(&["one".into(), Value::Int(2)])).is_err());
        assert!(Bound::columns(&[Vec::new(), sets(&["one".into()]).remove(0)]).is_err());
        assert!(Bound::columns(&[]).unwrap().is_empty());
    }
}
