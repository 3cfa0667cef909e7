"""Speed and area beside other cores: the same network, events and tools for all."""
