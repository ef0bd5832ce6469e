"""How fields are answered: who asks, what is loaded together, who may see what."""
