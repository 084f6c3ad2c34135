"""Where policies come from besides people: a watched file, the environment, Consul.

Each source is a layer, merged field by field in the order file < env < consul over the shipped
defaults. What comes out is validated and linted as a whole and becomes the next version on
`orch_config_updates`; what is wrong is said with its field, and the policy in force stays. A
policy that a person set (REST or command line) stands above all of them until it is released.
"""
