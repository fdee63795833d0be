"""One cell over one sentence of the documents, gate by gate, before and after training."""
