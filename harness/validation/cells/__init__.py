"""What a recurrent cell may be and how its parameters may be stored, for loading, identification and diagnosis."""
