"""What several distributions of Cascade share and no workflow needs to know about."""
