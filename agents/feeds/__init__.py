"""What is read from the outside at its own pace, and written as records."""
