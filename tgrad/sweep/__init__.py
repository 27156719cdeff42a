"""`tgrad sweep FILE --lr 0.1,0.01`: one program, run for every combination of its parameters."""
