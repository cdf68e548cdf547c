"""What stands in for programs that a made-up machine cannot have; each says what it does instead."""
