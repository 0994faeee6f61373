//! nfdump as referee of the language: inputs that both programs read, tables of what is asked of both, and their answers.

pub mod artificial;
pub mod compare;
pub mod condition;
pub mod inputs;
pub mod records;
pub mod rows;
pub mod table;
