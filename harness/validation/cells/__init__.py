"""What a recurrent cell may be, how its parameters are stored and how it is called: the terms all later steps share."""
