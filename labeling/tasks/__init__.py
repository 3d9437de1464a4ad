"""What kind of answer a task asks for."""
