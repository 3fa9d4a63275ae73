//! What a source shows and what we keep of it: objects, edges, pages, watermarks, links. Pure values.

mod finding;
mod group_pick;
mod link;
mod list;
mod page;
mod source_object;
mod witness;

pub use finding::Finding;
pub use finding::Grade;
pub use group_pick::GroupField;
pub use group_pick::GroupPick;
pub use group_pick::TextTest;
pub use link::Accepted;
pub use link::Applied;
pub use link::Desired;
pub use link::LinkId;
pub use link::Origin;
pub use link::Seen;
pub use list::List;
pub use page::Collection;
pub use page::Coverage;
pub use page::Cursor;
pub use page::Next;
pub use page::Page;
pub use page::Read;
pub use page::Reading;
pub use page::Record;
pub use page::Watermarks;
pub use source_object::Container;
pub use source_object::SourceAttributes;
pub use source_object::SourceId;
pub use source_object::SourceObject;
pub use source_object::Standing;
pub use source_object::Vocabulary;
pub use witness::WitnessAnswer;
pub use witness::WitnessQuestion;
