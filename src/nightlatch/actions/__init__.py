"""One file a story, one function a transaction, each with a required `by=`."""
