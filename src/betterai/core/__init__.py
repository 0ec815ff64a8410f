"""The vocabulary: types, requests and replies as data, codec shapes, base classes, exceptions, price. No I/O."""
