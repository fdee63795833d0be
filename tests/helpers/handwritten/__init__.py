"""Recurrent cells with backwards of their own, each file in the habit of one school, right ones and wrong ones."""
