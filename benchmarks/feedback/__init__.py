"""Whose change is it? Random builds, apps and people, and rules that must tell them apart."""
