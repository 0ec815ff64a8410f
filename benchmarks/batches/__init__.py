"""Ten thousand lines over a faulty upstream, asked by processes that are killed: none lost, none paid for twice."""
