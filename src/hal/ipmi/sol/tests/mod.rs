mod console;
mod line;
