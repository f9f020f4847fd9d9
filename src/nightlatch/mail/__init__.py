"""Mail: what the messages say, how they are built, and the ways they leave."""
