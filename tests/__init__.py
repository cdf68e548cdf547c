"""The tests; they drive the real bot process through the sandbox wherever HTTP is what can break."""
